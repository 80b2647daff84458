"""Job bookkeeping. There are no bookmarks here, so `init` and `commit` have nothing to keep."""


class Job:
    def __init__(self, glue_context):
        self.initialized = False

    def init(self, job_name: str, args: dict | None = None) -> None:
        self.initialized = True

    def isInitialized(self) -> bool:
        return self.initialized

    def commit(self) -> None:
        if not self.initialized:
            raise RuntimeError("call job.init(JOB_NAME, args) before job.commit()")

    def reset(self) -> None:
        """Forget bookmarks: there are none."""
