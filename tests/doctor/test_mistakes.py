"""Each mistake, made in a real installation: the doctor finds that one, and says what to type."""

from tests.doctor.clinic import Clinic


async def test_nothing_is_wrong_with_a_good_installation(patient: Clinic) -> None:
    assert await patient.says() == []
