"""
A worker's runs as jobs of Procrastinate on PostgreSQL. It needs ``pip install 'xerosync[procrastinate]'``.

One job is one run of one organisation. Nothing is lost with a job: what is due lies in the worker's store, and every
beat looks there. Nothing else of xerosync imports this module.
"""

from __future__ import annotations

from typing import Final

try:
    from procrastinate import App, JobContext
    from procrastinate.exceptions import AlreadyEnqueued
    from procrastinate.jobs import Status
except ImportError as _missing:
    raise ImportError("Procrastinate is not installed: pip install 'xerosync[procrastinate]'") from _missing

from xerosync.client.organisations import tenant_id
from xerosync.engine.schedule import Ended
from xerosync.worker import AsyncWorker

_EACH_MINUTE: Final = "* * * * *"
_ENROL_EVERY_S: Final = 300
"""How often newly connected organisations are looked for: unlike what is due, that reads every connection there is."""
_AT_ONCE: Final = 10_000
_STALLED_AFTER_S: Final = 30.0
"""Procrastinate's own default for a worker whose heart has stopped."""


class XeroJobs:
    """
    The jobs of an `AsyncWorker` in your Procrastinate *app*, on *queue*: make one where you define your own tasks.

    Each *beat*, a cron line, the organisations that are due become jobs, and jobs of workers that have given no sign of
    life for *stalled_after_s* seconds are begun again, which Procrastinate leaves to its users. An organisation has one
    job waiting at most, and one under way. A run that raised an error of yours is a failed job; the organisation is due
    again by itself.
    """

    def __init__(
        self,
        app: App,
        worker: AsyncWorker,
        *,
        queue: str = "xerosync",
        beat: str = _EACH_MINUTE,
        stalled_after_s: float = _STALLED_AFTER_S,
    ) -> None:
        self._app: Final = app
        self._worker: Final = worker
        self._queue: Final = queue
        self._stalled_after_s: Final = stalled_after_s
        self._enrol_at = 0
        self._run: Final = app.task(name="xerosync.run", queue=queue, pass_context=True)(self._run_one)
        for name, flow in (("xerosync.due", self._enqueue_due), ("xerosync.stalled", self._begin_again)):
            task = app.task(name=name, queue=queue, queueing_lock=name)(flow)
            app.periodic(cron=beat, periodic_id=name)(task)

    async def enqueue(self, organisation: str) -> bool:
        """
        Have *organisation* looked at now; False when a job for that is waiting already.

        Within a transaction of yours call ``worker.wake(…, store=store.within(connection))`` instead: what is woken
        becomes a job with the next beat, if your transaction is kept.
        """
        tenant = tenant_id(organisation)
        job = self._run.configure(lock=f"xerosync {tenant}", queueing_lock=f"xerosync {tenant}")
        try:
            await job.defer_async(organisation=tenant)
        except AlreadyEnqueued:
            return False
        return True

    async def _run_one(self, context: JobContext, organisation: str) -> str:
        ran = await self._worker.run(organisation, should_stop=context.should_abort)
        if ran.ended is Ended.STOPPED and not context.should_abort():
            await self.enqueue(organisation)
        if ran.ended is Ended.FAILED and ran.error is not None:
            raise ran.error
        return ran.ended.value

    async def _enqueue_due(self, timestamp: int) -> None:
        if self._enrol_at <= timestamp:
            self._enrol_at = timestamp + _ENROL_EVERY_S
            await self._worker.enrol()
        for due in await self._worker.due(limit=_AT_ONCE):
            await self.enqueue(due.organisation)

    async def _begin_again(self, timestamp: int) -> None:  # noqa: ARG002 - a periodic task is told its time
        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs(queue=self._queue, seconds_since_heartbeat=self._stalled_after_s):
            # Not retried: a job of the same organisation may wait already, behind the lock of this one.
            if job.id is not None:
                await manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=False)
            if job.task_name == self._run.name:
                await self.enqueue(str(job.task_kwargs["organisation"]))
