"""What moto's records of functions lack: the dead-letter queue, and new settings over old ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.awslambda.models import LambdaBackend, LambdaFunction


def install() -> None:
    original = _originals()

    def create_function(self: LambdaBackend, spec: dict[str, Any]) -> Any:
        function = original["create_function"](self, spec)
        function.dead_letter = spec.get("DeadLetterConfig")
        return function

    def put_function_event_invoke_config(self: LambdaBackend, function_name: str, config: dict):
        """moto keeps the new beside the old, and shows the old."""
        before = self.get_function(function_name).event_invoke_config
        kept = before[:]
        before.clear()
        try:
            return original["put_function_event_invoke_config"](self, function_name, config)
        except Exception:
            before[:] = kept
            raise

    def update_function_event_invoke_config(self: LambdaBackend, function_name: str, config: dict):
        known = self.get_function(function_name).event_invoke_config
        merged = {**(known[-1].config if known else {}), **config}
        return put_function_event_invoke_config(self, function_name, merged)

    def update_configuration(self: LambdaFunction, config_updates: dict[str, Any]) -> Any:
        if "DeadLetterConfig" in config_updates:
            self.dead_letter = config_updates["DeadLetterConfig"]
        return original["update_configuration"](self, config_updates)

    def get_configuration(self: LambdaFunction, *args: Any, **options: Any) -> dict[str, Any]:
        found = original["get_configuration"](self, *args, **options)
        given = getattr(self, "dead_letter", None) or {}
        return {**found, "DeadLetterConfig": given} if given.get("TargetArn") else found

    LambdaBackend.create_function = create_function
    LambdaBackend.put_function_event_invoke_config = put_function_event_invoke_config
    LambdaBackend.update_function_event_invoke_config = update_function_event_invoke_config
    LambdaFunction.update_configuration = update_configuration
    LambdaFunction.get_configuration = get_configuration


def _originals() -> dict[str, Callable]:
    """moto's own methods, also when ours are in their place already."""
    if "_moto" not in LambdaBackend.__dict__:
        LambdaBackend._moto = {
            "create_function": LambdaBackend.create_function,
            "put_function_event_invoke_config": LambdaBackend.put_function_event_invoke_config,
            "update_configuration": LambdaFunction.update_configuration,
            "get_configuration": LambdaFunction.get_configuration,
        }
    return LambdaBackend._moto
