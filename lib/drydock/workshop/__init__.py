"""A room full of learners: seats on one machine, what to bring along, when, and the clean-up."""
