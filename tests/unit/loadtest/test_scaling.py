"""What samples of the dashboard say of growing, shrinking and replacing."""

from typing import Any

from loadtest.dashboard import RELEASE, Sample, next_release, read_sample
from loadtest.scaling import REPLACED, Redeploy, redeployed_seconds, replicas_at, scaling_of

SCORER = "LightGBMScorer"


def sample(at: float, scorers: int, release: int = 1, status: str = "RUNNING") -> Sample:
    replicas = {name: frozenset({f"{name}-{release}"}) for name in REPLACED}
    return Sample(at, dict.fromkeys(REPLACED, scorers), replicas, {"scoring": status})


def redeploy_at(at: float) -> Redeploy:
    return Redeploy(at, "scoring", frozenset(f"{name}-1" for name in REPLACED))


def test_a_pool_that_grew_and_shrank_misses_nothing() -> None:
    scaling = scaling_of(SCORER, [sample(0, 1), sample(1, 2), sample(2, 1)], None)
    assert str(scaling) == "LightGBMScorer: 1 -> 2 -> 1 replicas"
    assert scaling.misses() == []


def test_a_pool_that_never_grew_or_never_shrank_is_said() -> None:
    flat, stuck = [sample(0, 1), sample(1, 1)], [sample(0, 1), sample(1, 2)]
    assert scaling_of(SCORER, flat, None).misses() == [
        "LightGBMScorer stayed at 1 replicas under load"
    ]
    assert scaling_of(SCORER, stuck, None).misses() == [
        "LightGBMScorer stayed at 2 replicas after the load"
    ]


def test_replicas_side_by_side_in_a_redeploy_are_no_growth() -> None:
    samples = [sample(0, 1), sample(2, 2, 1), sample(3, 1, 2), sample(4, 1, 2)]
    assert scaling_of(SCORER, samples, redeploy_at(1)).most == 1


def test_a_redeploy_has_ended_when_no_old_replica_is_left_and_all_runs() -> None:
    samples = [
        sample(0, 1),
        sample(2, 1),
        Sample(3, {}, {}, {"scoring": "RUNNING"}),
        sample(4, 1, 2, "DEPLOYING"),
        sample(5, 1, 2),
    ]
    assert redeployed_seconds(samples, redeploy_at(1)) == 5
    assert redeployed_seconds(samples[:-1], redeploy_at(1)) is None


def test_a_sample_without_the_pool_is_no_pool_without_replicas() -> None:
    samples = [sample(0, 2), Sample(1, {}, {}, {})]
    assert scaling_of(SCORER, samples, None).last == 2
    assert replicas_at(samples, 1.5) == "LightGBMScorer 2, FeatureValidator 2"
    assert replicas_at(samples, -1) == "LightGBMScorer ?, FeatureValidator ?"


def deployed() -> dict[str, Any]:
    def replica(id_: str, state: str) -> dict[str, str]:
        return {"replica_id": id_, "state": state}

    return {
        "proxy_location": "EveryNode",
        "http_options": {"host": "127.0.0.1", "port": 8000},
        "grpc_options": {"port": 9000},
        "applications": {
            "scoring": {
                "status": "RUNNING",
                "deployed_app_config": {
                    "name": "scoring",
                    "runtime_env": {"env_vars": {"KEPT": "1"}, "working_dir": "w"},
                },
                "deployments": {
                    SCORER: {"replicas": [replica("a", "RUNNING"), replica("b", "STOPPING")]}
                },
            },
            "accounts": {
                "status": "DEPLOYING",
                "deployed_app_config": {"name": "accounts"},
                "deployments": {},
            },
        },
    }


def test_a_sample_counts_running_replicas_and_knows_all() -> None:
    seen = read_sample(1, deployed())
    assert seen.running == {SCORER: 1}
    assert seen.replicas == {SCORER: frozenset({"a", "b"})}
    assert seen.statuses == {"scoring": "RUNNING", "accounts": "DEPLOYING"}


def test_the_next_release_changes_one_application_and_keeps_the_rest() -> None:
    config = next_release(deployed(), "scoring", "r2")
    assert config["http_options"] == {"host": "127.0.0.1", "port": 8000}
    assert config["applications"] == [
        {
            "name": "scoring",
            "runtime_env": {"env_vars": {"KEPT": "1", RELEASE: "r2"}, "working_dir": "w"},
        },
        {"name": "accounts"},
    ]
