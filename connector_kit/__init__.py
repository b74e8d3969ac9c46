"""How to be a fast, correct Airbyte source: streams, pages, state, HTTP and batched output. Knows no vendor."""
