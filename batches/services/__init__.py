"""What the work screen writes."""
