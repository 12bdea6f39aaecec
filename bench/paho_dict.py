"""What most people write first: paho and a dict of windows, behind a broker. The yardstick of ``bench.ingest``.

    python -m bench.paho_dict --port 1883

Counts, means, minima, maxima and a log-bucket histogram (for p99) per zone and second, QoS 1, acknowledged
on receipt. Prints the number of readings as JSON when it is told to stop (SIGTERM).
"""

import argparse
import json
import math
import signal
import sys
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

LOG_GAMMA = math.log(1.01 / 0.99)


@dataclass(slots=True)
class Window:
    """One zone's second."""

    n: int = 0
    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    buckets: dict[int, int] = field(default_factory=dict)

    def add(self, value: float) -> None:
        """One reading."""
        self.n += 1
        self.total += value
        self.low = min(self.low, value)
        self.high = max(self.high, value)
        bucket = math.ceil(math.log(value) / LOG_GAMMA) if value > 0 else 0
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1


def main() -> None:
    """Subscribe, and add up until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--prefix", default="greenhouse", help="first level of the topics")
    parser.add_argument("--messages", type=int, default=0, help="ends after so many; 0: when told to")
    arguments = parser.parse_args()
    windows: dict[tuple[str, int], Window] = {}
    readings = 0

    def on_message(_client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        nonlocal readings
        reading = json.loads(message.payload)
        key = message.topic.split("/")[1], reading["ts"] // 1000
        window = windows.get(key)
        if window is None:
            window = windows[key] = Window()
        window.add(reading["temp"])
        readings += 1
        if readings == arguments.messages:
            stop(0, None)

    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="paho-dict", protocol=mqtt.MQTTv5)
    client.on_message = on_message
    client.connect("127.0.0.1", arguments.port)
    client.subscribe(f"{arguments.prefix}/#", qos=1)

    def stop(_number: int, _frame: object) -> None:
        sys.stdout.write(json.dumps({"readings": readings, "windows": len(windows)}) + "\n")
        sys.stdout.flush()
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    client.loop_forever()


if __name__ == "__main__":
    main()
