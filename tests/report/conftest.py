import pytest
from report_world import all_observations, report_of


@pytest.fixture(scope="session")
def observations():
    return all_observations()


@pytest.fixture(scope="session")
def report(observations):
    return report_of(observations)
