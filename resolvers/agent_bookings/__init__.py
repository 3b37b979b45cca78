"""Agent bookings: EC English's bookings of courses, made by agencies `[004]`."""
