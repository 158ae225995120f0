"""From call to source: which visit made a call, and which touch of its visitor gets the credit."""
