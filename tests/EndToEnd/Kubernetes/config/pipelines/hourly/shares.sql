SELECT seq, sensor_id, value, "timestamp" FROM raw
