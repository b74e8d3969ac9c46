"""The connector's verbs: what a config offers, and whether it works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector_kit.cdk.source import ConnectorSource
from connector_kit.http import Patience
from connector_kit.pagination import ReadAhead
from connector_kit.secrets import derived_forms
from connector_kit.stream import Stream
from source_kissmetrics import core_api
from source_kissmetrics.config import Config, parse
from source_kissmetrics.streams import CORE_STREAMS
from source_kissmetrics.streams.metric_series import MetricBySegment, MetricOverTime
from source_kissmetrics.streams.people_search_results import PeopleSearchResults


class SourceKissmetrics(ConnectorSource[Config]):
    """Everything that Kissmetrics gives out, as streams."""

    def parse(self, config: Mapping[str, Any]) -> Config:
        return parse(config)

    def secrets(self, config: Config) -> list[str]:
        return derived_forms(config.credentials.api_token)

    def workers(self, config: Config) -> int:
        return config.num_workers

    def streams(self, config: Config, ahead: ReadAhead) -> list[Stream]:
        client = core_api.client(config)
        offered: list[Stream] = [stream(config, client, ahead) for stream in CORE_STREAMS]
        if config.people_search:
            offered.append(PeopleSearchResults(config, config.people_search, client, ahead))
        if config.metric_interval:
            offered += [MetricOverTime(config, client, ahead), MetricBySegment(config, client, ahead)]
        return offered

    def verify(self, config: Config) -> None:
        core_api.verify(config, core_api.client(config, Patience(attempts=2, max_wait=10, timeout=(10, 30))))
