"""What the gateway sends to others by itself: messages over HTTP and by email."""
