"""What the scheduler's kernel costs, and how well its policies pack."""
