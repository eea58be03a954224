"""A worker's runs as tasks of Celery: copy it into your project, and adapt what it says of your product."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from celery import Celery, Task

from xerosync import Ended, Worker


class XeroTasks:
    """
    Two tasks of *app*: one looks each *beat* seconds for organisations that are due, and now and then for newly
    connected ones; the other works on one of them.

    *worker* makes the `Worker`, or gives the one that was made: it is called within the process that runs a task, since
    connections to a database must not be carried over a fork.
    """

    def __init__(self, app: Celery, worker: Callable[[], Worker], *, beat: float = 60.0) -> None:
        self._enrols_at = 0.0

        def run(organisation: str) -> str:
            ran = worker().run(organisation)
            if ran.ended is Ended.STOPPED:  # its budget is spent: go on behind the others
                self.run.delay(organisation)
            return ran.ended.value

        def due() -> None:
            if monotonic() >= self._enrols_at:
                worker().enrol()
                self._enrols_at = monotonic() + 15 * beat
            for each in worker().due():
                # What has waited for a whole beat is put there anew by the next one.
                self.run.apply_async((each.organisation,), expires=beat)

        # No retries: whatever became of a task, its organisation is due until a run of it has come to its end.
        self.run: Task[[str], str] = app.task(name="xerosync.run", ignore_result=True)(run)
        self.due: Task[[], None] = app.task(name="xerosync.due", ignore_result=True)(due)
        each_beat = {"task": self.due.name, "schedule": beat, "options": {"expires": beat}}
        app.conf.beat_schedule = {**(app.conf.beat_schedule or {}), "xerosync": each_beat}
