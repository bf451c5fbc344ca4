SELECT sensor, timestamp, value FROM raw
