high = 100
part(n) = 100.0 * n / column("total")
set format y "%.0f %%"
