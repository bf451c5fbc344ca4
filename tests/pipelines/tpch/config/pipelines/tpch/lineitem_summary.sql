SELECT
  l_returnflag,
  l_linestatus,
  sum(sum_qty) AS sum_qty,
  sum(sum_base_price) AS sum_base_price,
  sum(sum_disc_price) AS sum_disc_price,
  CAST(sum(sum_qty) / sum(count_order) AS DOUBLE) AS avg_qty,
  CAST(sum(sum_disc) / sum(count_order) AS DOUBLE) AS avg_disc,
  CAST(sum(count_order) AS BIGINT) AS count_order
FROM parts
GROUP BY ALL
