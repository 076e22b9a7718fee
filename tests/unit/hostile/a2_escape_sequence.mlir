// [2J clears the screen
