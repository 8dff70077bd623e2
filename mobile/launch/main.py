import flet as ft

from mobile.app import main

ft.run(main)
