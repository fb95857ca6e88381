"""Account: the balance, and all that belongs to whoever is signed in."""
