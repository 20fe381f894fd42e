"""Arrays in, arrays out: the solvers. Nothing here knows what a panel is."""
