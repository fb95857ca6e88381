"""The pages of the console; `frame` is what they share."""
