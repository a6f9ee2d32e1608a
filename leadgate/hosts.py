"""Hosts and ports of addresses. Pure: no name server is asked."""

from ipaddress import IPv4Address, IPv6Address, ip_address

LARGEST_PORT = 65535


def ip_of(host: str) -> IPv4Address | IPv6Address | None:
    """The address of IP that a host is written as; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine, whatever a name server says."""
    ip = ip_of(host)
    return host == "localhost" or (ip is not None and ip.is_loopback)
