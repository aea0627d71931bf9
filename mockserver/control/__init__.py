"""What only the mock has, all of it under /__mock__/."""
