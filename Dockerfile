ARG BASE_IMAGE=docker.io/airbyte/python-connector-base:4.1.1@sha256:a268b44c733ae699a60f5fbc06a324945dba98945c6e2ab7f8609f2f895b0d28

# Builds the wheel, and installs it with the versions that were tested into a folder of its own.
FROM ${BASE_IMAGE} AS builder
USER root
WORKDIR /build
RUN python -m venv /airbyte/connector
COPY setup.py pyproject.toml README.md LICENSE constraints.txt ./
COPY connector_kit connector_kit
COPY source_kissmetrics source_kissmetrics
RUN PIP_CONSTRAINT=/build/constraints.txt /airbyte/connector/bin/pip install --no-cache-dir .

FROM ${BASE_IMAGE}
ARG CONNECTOR=source-kissmetrics
LABEL io.airbyte.name=airbyte/${CONNECTOR} \
      io.airbyte.version=0.2.0
USER root
COPY --from=builder /airbyte/connector /airbyte/connector
RUN ln -s /airbyte/connector/bin/${CONNECTOR} /airbyte/entrypoint
USER airbyte
WORKDIR /airbyte
ENV AIRBYTE_ENTRYPOINT=/airbyte/entrypoint
ENTRYPOINT ["/airbyte/entrypoint"]
