"""Everything that needs the database: API, ledgers, board, customer page."""
