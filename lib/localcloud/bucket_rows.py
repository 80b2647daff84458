"""S3 as rows: one for a bucket's settings, one for each object with its versions, one for each
multipart upload, so that the cost of a write does not grow with the number of objects."""

from collections.abc import Iterator
from typing import Any

import moto.s3.models as s3

from localcloud import pickling
from localcloud.objects import FileKey, KeyStore, Touched, UploadStore

RowId = tuple[str, str, str, str, str, str]


def bucket_rows(touched: Touched, known: set[RowId]) -> Iterator[tuple[RowId, bytes | None]]:
    """The rows of every bucket and of every object and upload that was touched, as they are now.

    known: the rows that exist, to find those whose bucket is gone.
    """
    alive = set()
    for account, partition, backend in list(s3.s3_backends.iter_backends()):
        tags = backend.tagger.tags
        for name, bucket in list(backend.buckets.items()):
            place = ("s3", account, partition, name)
            alive.add(place)
            yield (*place, "bucket", ""), _bucket(bucket, tags)
            for key in touched.pop(bucket.keys):
                yield (*place, "key", key), _key(dict.get(bucket.keys, key), tags)
            for upload_id in touched.pop(bucket.multiparts):
                upload = dict.get(bucket.multiparts, upload_id)
                yield (*place, "upload", upload_id), upload and pickling.dumps(upload)
    for row_id in known:
        if row_id[0] == "s3" and row_id[:4] not in alive:
            yield row_id, None


def _bucket(bucket: Any, tags: dict[str, Any]) -> bytes:
    settings = {k: v for k, v in vars(bucket).items() if k not in ("keys", "multiparts")}
    return pickling.dumps((settings, tags.get(bucket.arn)))


def _key(versions: list[Any] | None, tags: dict[str, Any]) -> bytes | None:
    if not versions:
        return None
    arns = [version.arn for version in versions if isinstance(version, FileKey)]
    return pickling.dumps((versions, {arn: tags[arn] for arn in arns if arn in tags}))


def restore_buckets(rows: dict[RowId, Any]) -> list[RowId]:
    """Give the rows' contents back to moto. Answers the rows that are not whole."""
    # "bucket" sorts before "key" and "upload"
    unusable = []
    for row_id in sorted(rows, key=lambda row_id: row_id[4]):
        _, account, partition, name, kind, key = row_id
        backend = s3.s3_backends[account][partition]
        content = rows[row_id]
        if kind == "bucket":
            _restore_bucket(backend, name, *content)
        elif name not in backend.buckets:
            unusable.append(row_id)
        elif kind == "upload":
            dict.__setitem__(backend.buckets[name].multiparts, key, content)
        elif all(v.is_whole() for v in content[0] if isinstance(v, FileKey)):
            dict.__setitem__(backend.buckets[name].keys, key, content[0])
            backend.tagger.tags.update(content[1])
        else:
            unusable.append(row_id)
    return unusable


def _restore_bucket(backend: Any, name: str, settings: dict, tags: dict | None) -> None:
    bucket = s3.FakeBucket.__new__(s3.FakeBucket)
    bucket.__dict__.update(settings, keys=KeyStore(), multiparts=UploadStore())
    backend.buckets[name] = bucket
    s3.s3_backends.bucket_accounts[name] = (bucket.partition, bucket.account_id)
    if tags is not None:
        backend.tagger.tags[bucket.arn] = tags


def files_in_use() -> set[str]:
    """The names of the files that objects and unfinished uploads refer to."""
    keys: list[Any] = []
    for _, _, backend in s3.s3_backends.iter_backends():
        for bucket in backend.buckets.values():
            for versions in dict.values(bucket.keys):
                keys += versions
            for upload in bucket.multiparts.values():
                keys += upload.parts.values()
    return {key.file for key in keys if isinstance(key, FileKey)}
