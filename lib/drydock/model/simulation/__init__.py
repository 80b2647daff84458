"""A fleet over a day, simulated: arrivals, cold starts, scaling, Spot interruptions, cost.

`fleet` says what a fleet is and what comes out, `load` draws a day's arrivals, `engine` is the fast
loop, and `reference` the same model in SimPy, event by event: read that one to learn how it works.
Every figure that comes from here is simulated, not measured.
"""

from drydock.model.simulation.fleet import Fleet, Result, Worker, simulate
from drydock.model.simulation.load import day_of_arrivals, durations

__all__ = ["Fleet", "Result", "Worker", "day_of_arrivals", "durations", "simulate"]
