"""What training is given and what it tells, without torch."""
