from computekit import units


def test_conversions_are_exact() -> None:
    assert units.mib_to_kib(units.Mib(3)) == 3072
    assert units.mib_to_bytes(units.Mib(1)) == 1_048_576
    assert units.gib_to_mib(units.Gib(2)) == 2048
    assert units.gib_to_bytes(units.Gib(1)) == 1_073_741_824


def test_offers_round_down_and_charges_round_up() -> None:
    assert units.kib_to_mib(units.Kib(2047)) == 1
    assert units.mib_to_gib_ceil(units.Mib(1025)) == 2
    assert units.mib_to_gib_ceil(units.Mib(1024)) == 1
    assert units.bytes_to_gib_ceil(units.Bytes(1)) == 1
    assert units.bytes_to_gib_ceil(units.Bytes(0)) == 0


def test_what_is_only_shown_keeps_its_fraction() -> None:
    assert units.bytes_to_mib_exact(units.Bytes(1_572_864)) == 1.5
