"""The learner's side of the book: exercises that answer."""
