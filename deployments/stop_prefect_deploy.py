"""What `prefect deploy` loads first of the manifest, and ends with: it knows nothing of pipeline files and alarms.

It would report success, and every run would fail: nobody has told it which pipeline, or where the checkout is.
"""

import sys

sys.exit(
    "leadgate: nothing was deployed: `prefect deploy` knows nothing of pipeline files. "
    "Type: python -m deployments.apply leadgate.yaml"
)
