"""The fast loop of the simulation: one function, compiled by Numba where that is installed.

Without Numba the same function runs as plain Python, some thirty times slower, with the same
answer. `reference` holds the model in a form that is easier to read; tests compare both.
"""

import heapq
import math

import numpy as np

try:
    from numba import njit
except ImportError:

    def njit(**options):
        return lambda function: function


LIVES = 4096  # drawn lives of workers; the list is used again from its start when it ends
_DONE, _READY, _TAKEN, _TICK = 0, 1, 2, 3
_HIGH_SAMPLES, _LOW_SAMPLES, _LOW_PART = 3, 15, 0.9


@njit(cache=True)
def run(
    arrivals,
    durations,
    policy,
    minimum,
    maximum,
    cold_start,
    target,
    period,
    lives,
    checkpoint,
    horizon,
):
    """Return begin, finish (by task), starts, ends (by worker), busy seconds, interruptions."""
    tasks = len(arrivals)
    begin, finish = np.full(tasks, np.nan), np.full(tasks, np.nan)
    left = durations.copy()
    queue = np.empty(tasks, np.int64)  # a ring: tasks that came back stand before the others
    head, queued = 0, 0
    starts, ends, work_of, since, done_event = [0.0], [0.0], [-1], [0.0], [-1]
    for column in (starts, ends, since):
        column.pop()
    work_of.pop()
    done_event.pop()
    idle = [0]
    idle.pop()
    events = [(0.0, 0, 0, 0)]
    events.pop()
    number, starting, alive, busy, done, arrived = 0, 0, 0, 0, 0, 0
    high, low, interruptions, worked, now = 0, 0, 0, 0.0, 0.0
    desired = minimum if policy != 3 else 0
    delay = 0.0 if policy == 0 else cold_start
    if policy == 1 or policy == 2:
        heapq.heappush(events, (period, number, _TICK, 0))
        number += 1
    while True:
        while queued > 0 and len(idle) > 0:
            worker = idle.pop()
            task = queue[head]
            head = (head + 1) % tasks
            queued -= 1
            if math.isnan(begin[task]):
                begin[task] = now
            work_of[worker] = task
            since[worker] = now
            done_event[worker] = number
            busy += 1
            heapq.heappush(events, (now + left[task], number, _DONE, worker))
            number += 1
        # Workers that are wanted and not there: at the start, after a tick, after an interruption.
        if policy == 3:
            desired = min(maximum, alive + max(0, queued - starting))
        while alive < desired:
            starts.append(now)
            ends.append(math.inf)
            work_of.append(-1)
            since.append(now)
            done_event.append(-1)
            heapq.heappush(events, (now + delay, number, _READY, len(starts) - 1))
            number += 1
            alive += 1
            starting += 1
        delay = cold_start
        if done == tasks:
            break
        if arrived < tasks and (len(events) == 0 or arrivals[arrived] <= events[0][0]):
            if arrivals[arrived] > horizon:
                break
            now = arrivals[arrived]
            queue[(head + queued) % tasks] = arrived
            queued += 1
            arrived += 1
            continue
        if events[0][0] > horizon:
            now = horizon
            break
        now, event, kind, worker = heapq.heappop(events)
        if kind == _DONE:
            if done_event[worker] != event:
                continue
            task = work_of[worker]
            finish[task] = now
            worked += now - since[worker]
            work_of[worker] = -1
            done_event[worker] = -1
            done += 1
            busy -= 1
            if policy == 3:
                ends[worker] = now
                alive -= 1
            else:
                idle.append(worker)
        elif kind == _READY:
            starting -= 1
            idle.append(worker)
            life = lives[worker % len(lives)]
            if life != math.inf:
                heapq.heappush(events, (now + life, number, _TAKEN, worker))
                number += 1
        elif kind == _TAKEN:
            if ends[worker] != math.inf:
                continue
            interruptions += 1
            ends[worker] = now
            alive -= 1
            task = work_of[worker]
            if task < 0:
                idle.remove(worker)
                continue
            spent = now - since[worker]
            worked += spent
            busy -= 1
            done_event[worker] = -1
            saved = spent
            if checkpoint == math.inf:
                saved = 0.0
            elif checkpoint > 0:
                saved = math.floor(spent / checkpoint) * checkpoint
            left[task] -= saved
            head = (head - 1) % tasks
            queue[head] = task
            queued += 1
        else:
            heapq.heappush(events, (now + period, number, _TICK, 0))
            number += 1
            wanted = desired
            if policy == 1:
                wanted = math.ceil((queued + busy) / target)
            else:
                ready = alive - starting
                used = busy / ready if ready > 0 else 0.0
                high = high + 1 if used > target else 0
                low = low + 1 if ready > 0 and used < target * _LOW_PART else 0
                if high >= _HIGH_SAMPLES or low >= _LOW_SAMPLES:
                    wanted = math.ceil(ready * used / target)
                    if high >= _HIGH_SAMPLES:
                        wanted = max(wanted, desired)
            desired = min(max(wanted, minimum), maximum)
            # The longest idle go first; busy and cold workers stay.
            while alive > desired and len(idle) > 0:
                ends[idle.pop(0)] = now
                alive -= 1
            desired = max(desired, alive)
    first, last = np.array(starts), np.array(ends)
    for worker in range(len(last)):
        if last[worker] == math.inf:
            last[worker] = now
    return begin, finish, first, last, worked, interruptions
