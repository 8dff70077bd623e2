"""Which languages the device is set to."""

from __future__ import annotations

import os

from mobile.device.browser import IN_BROWSER


def device_languages() -> list[str]:
    """Dearest first, as the device writes them: `es-MX`, `de_AT.UTF-8`. Empty where it does not say."""
    if IN_BROWSER:
        import js

        return [str(tag) for tag in js.self.navigator.languages]
    return [os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)]
