"""The sign-in: plain pages that work without a script, and what makes and ends sessions."""
