"""LeadByte's quarantine API: typed calls, and what their answers prove. What is sent when is decided elsewhere."""

from leadgate.leadbyte.client import LeadByteClient as LeadByteClient
