"""Accounts, sessions and tokens: who is calling, kept and looked up."""
