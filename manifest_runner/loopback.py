"""The hosts that can only be this machine, to which plain HTTP is allowed. Pure."""

from __future__ import annotations


def is_loopback(host: str) -> bool:
    """Whether a host without port or brackets is in 127.0.0.0/8, ::1 or localhost."""
    # the import takes a while, and most commands ask no server
    from ipaddress import IPv4Address, IPv6Address, ip_address

    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback if isinstance(address, IPv4Address) else address == IPv6Address("::1")
