"""What leaves the database: mail, SMS, chat and webhooks, sent once it is committed and until it arrives."""
