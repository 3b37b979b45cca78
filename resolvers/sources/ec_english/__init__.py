"""EC English `[004]`: the bookings that agencies put, in JSON and in XML."""
