"""Board, customer page and the files a browser loads."""
