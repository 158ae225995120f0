"""Leads that are no calls: forms, chats and the like, later texts; calls have a table of their own."""
