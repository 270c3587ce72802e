# SPDX-License-Identifier: Apache-2.0
"""
Why a value that another tool read in a capture is not read here: by capture, all of it or some rows.
"""

NOT_OPENED = "inside an encapsulation that is not opened: "
DRAFT = "QUIC in a draft or Google's own: RFC 9000 and RFC 9369 are read"
DTLS = "DTLS: not among what is sampled"
TWICE = "the same question of multicast DNS over IPv4 and IPv6: one transaction, told of the first"
MALFORMED = "broken on purpose: labels of a length that RFC 1035, 4.1.4 does not have"
ADDITIONAL = "in the additional section, which is not told: it answers no question (RFC 2181, 5.4.1)"

CAPTURES = {
    "ndpi/pcap/tls_invalid_reads.pcap": NOT_OPENED + "GTP",
    "ndpi/pcap/dlt_ppp.pcap": DRAFT,
    "ndpi/pcap/doq.pcapng": DRAFT,
    "ndpi/pcap/doq_adguard.pcapng": DRAFT,
    "ndpi/pcap/quic-24.pcap": DRAFT,
    "ndpi/pcap/quic-29.pcap": DRAFT,
    "ndpi/pcap/quic-mvfst-27.pcapng": DRAFT,
    "ndpi/pcap/quic-mvfst-exp.pcap": DRAFT,
    "ndpi/pcap/dtls.pcap": DTLS,
    "ndpi/pcap/dtls_old_version.pcapng": DTLS,
    "ndpi/pcap/geforcenow.pcapng": DTLS,
    "ndpi/pcap/stun_dtls_rtp.pcapng": DTLS,
    "ndpi/pcap/stun_google_meet.pcapng": DTLS,
    "ndpi/pcap/stun_zoom.pcapng": DTLS,
    "arkime/openvpn_synthetic.pcap": NOT_OPENED + "OpenVPN",
    "arkime/ipv6-gtp6.pcap": NOT_OPENED + "GTP",
    "suricata-verify/tests/dns-over-http2/dns_over_https.pcap": NOT_OPENED + "HTTP/2",
    "zeek/Traces/globus-url-copy.pcap": "GridFTP: TLS in base64, in lines of FTP (RFC 4217 has it bare)",
}

# (capture, what, value): reason
ROWS = {
    ("suricata-verify/tests/bug-5713-01/TLSv1-Extracted-MaliciousC2.pcap", "ja4",
     "t10i070600_c50f5591e341_ce66f3b797c1"):
        'JA4.md: "If there are no signature algorithms in the hello packet, then the string ends '
        'without an underscore and is hashed": the reference hashes the underscore',
    ("arkime/tls13.pcap", "cipher", "TLS_AES_128_GCM_SHA256"):
        "a draft of TLS 1.3 whose ServerHello has other fields than that of RFC 8446, 4.1.3",
    ("ndpi/pcap/anyconnect-vpn.pcap", "dns", "_raop._tcp.local"): TWICE,
    ("ndpi/pcap/tls_certificate_too_long.pcap", "dns", "_companion-link._tcp.local"): TWICE,
    ("ndpi/pcap/whatsapp_login_chat.pcap", "dns", "_raop._tcp.local"): TWICE,
    ("ndpi/pcap/fuzz-2006-06-26-2594.pcap", "dns", "_sip._udp.sip.cybercity.dk"): MALFORMED,
    ("ndpi/pcap/fuzz-2006-06-26-2594.pcap", "dns", "1.0.0.127?in-ad_r?arpa???"): MALFORMED,
    ("arkime/v6.pcap", "dns address", "202.232.15.98"): ADDITIONAL,
    ("ndpi/pcap/dns_invert_query.pcapng", "dns", "216.58.202.4"):
        "an inverse query, obsolete (RFC 3425): it asks with an answer and has no question",
    ("ndpi/pcap/quic_0RTT.pcap", "sni", "abcd"): DRAFT,
    ("ndpi/pcap/quic_0RTT.pcap", "ja3", "a7b629a5bd67bfc25e2c78b3daa4c12f"): DRAFT,
    ("ndpi/pcap/anyconnect-vpn.pcap", "ja3", "ee2a8029d94a1e0f64493aac044a9a9e"): DTLS,
}

used = set()


def why(row, capture):
    """The reason of a difference, None: not known."""
    for table, key in ((ROWS, (capture, row.what, row.value)), (CAPTURES, capture)):
        if key in table:
            used.add(key)
            return table[key]
    return None


def unused():
    """What explains nothing any more."""
    return [str(key) for key in (*CAPTURES, *ROWS) if key not in used]
