"""What all kinds of booking share: seats, candidates' schedules, facts, reads. It knows no kind."""
