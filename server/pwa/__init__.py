"""The technician app as an offline web app: built here from Python sources, served at `/app/`.

`build.py` assembles it from Flet's prebuilt web client (`client.py`), our Python (`payload.py`), the page
and the service worker (`page.py`), and compresses it (`compress.py`); `routes.py` serves the result.
Neither a Flutter SDK nor any network is needed, but for the first resolving of the phone's dependencies.
"""
