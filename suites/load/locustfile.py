"""The load profiles for Locust: `locust -f suites/load --host http://gateway:8000`; docs/LOAD.md tells the rest."""

from pathlib import Path

from fixtures.load.composition import compose, read_profiles

globals().update(compose(read_profiles(Path(__file__).with_name("profiles"))))
