"""What all kinds of booking share: seats, diaries, facts, reads. Knows no kind."""
