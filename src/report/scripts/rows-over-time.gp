height(x) = column("rows_so_far")
