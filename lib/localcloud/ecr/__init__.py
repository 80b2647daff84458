"""ECR whose layers are really stored, whose rules hold, and whose lifecycle policies act."""

from collections.abc import Callable

import moto.ecr.urls as urls

from localcloud.ecr.downloads import Downloads
from localcloud.ecr.layers import LayerFiles
from localcloud.ecr.lifecycle import Expiry
from localcloud.ecr.responses import Responses
from localcloud.home import Home
from localcloud.storage import Storage


class Ecr:
    def __init__(self, home: Home):
        self._files = LayerFiles(home)
        self._downloads = Downloads(self._files)
        self._expiry = Expiry(self._files)

    def register(self) -> None:
        """Take ECR over in moto. Call it before the first backend exists."""
        Responses.files, Responses.downloads = self._files, self._downloads
        urls.url_paths["{0}/$"] = Responses.dispatch

    def wsgi(self, app: Callable) -> Callable:
        """``app`` with the addresses of layers in front of it."""
        return self._downloads.wsgi(app)

    def start(self, storage: Storage) -> None:
        """Begin to expire images; the state has been restored."""
        self._files.settle()
        self._expiry.start(storage.save_backends)

    def stop(self) -> None:
        self._expiry.stop()
