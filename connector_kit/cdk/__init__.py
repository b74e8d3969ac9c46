"""The only place that imports the Airbyte CDK: messages, cursor, engine, entry point and the base class of a source.

`unit_tests/test_cdk_contract.py` fails loudly if a CDK upgrade changes what these modules rely on.
"""

from connector_kit.cdk import startup

startup.import_cdk()
