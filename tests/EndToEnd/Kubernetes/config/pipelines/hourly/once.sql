SELECT DISTINCT seq, sensor_id, value, "timestamp" FROM shares
