"""Jobs on a machine of several GPUs take one each."""

from braindino import device


def test_two_jobs_take_two_gpus(tmp_path, monkeypatch):
    monkeypatch.setattr(device, "_HELD", [])
    assert [device._free_gpu(2, tmp_path) for _ in range(3)] == [0, 1, 0]
    device._HELD[0].close()  # as when the job that held it ends
    assert device._free_gpu(2, tmp_path) == 0


def test_the_one_gpu_that_a_scheduler_gave_needs_no_lock(tmp_path):
    assert device._free_gpu(1, tmp_path) == 0
    assert not list(tmp_path.iterdir())
