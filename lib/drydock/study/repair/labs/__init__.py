"""The labs, a module each; `LAB` is its class."""
