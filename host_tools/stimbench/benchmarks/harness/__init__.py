"""What every benchmark needs: rows, processes, a bench, tables."""
